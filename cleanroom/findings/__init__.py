"""What is worth a person's attention: permanent codes, and where evidence shows them."""
