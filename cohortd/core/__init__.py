"""The values the rooms hand each other; standard library only, imports nothing of ours."""
