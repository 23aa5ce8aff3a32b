"""Robot arms: episodes of scripted experts as video, readers of real data, actions read off frames, closed-loop success."""
