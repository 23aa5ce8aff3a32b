"""Programs of others that play and judge Go: GTP engines and KataGo's analysis engine.

presets -> a command line -> gtp.GtpEngine or katago.KataGo -> teachers and players
"""
