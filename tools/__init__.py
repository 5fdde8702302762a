"""What the project needs and nobody installs."""
