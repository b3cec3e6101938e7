"""What the pattern types draw with: cloth to print on, shapes, layouts, noise, flowers."""
