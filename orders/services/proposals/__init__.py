"""Changes to placed orders: worked out as proposals, previewed, then confirmed in one transaction or dropped."""
