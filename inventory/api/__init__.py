"""What programs read of the stock room."""
