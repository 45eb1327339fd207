// Placeholder
print("")
