"""Games between any two of teachers, engines and models: players, a referee, matches, ratings, and ways to play.

text --names--> Player --referee--> GameResult --matches--> folder --rating--> Elo
"""
