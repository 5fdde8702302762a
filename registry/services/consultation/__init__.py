"""Use cases of consultation: reading, updating, rights on partitions."""
