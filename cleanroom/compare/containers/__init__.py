"""What a compressed stream, a tar and a zip file hold, read strictly to the last byte.
Not here: what the content means.
"""
