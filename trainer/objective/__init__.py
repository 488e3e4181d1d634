"""What is predicted in each row."""
