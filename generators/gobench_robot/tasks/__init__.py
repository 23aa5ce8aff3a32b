"""What is asked of models that move arms: whole episodes, in closed loop."""
