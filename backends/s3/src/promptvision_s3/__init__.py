"""S3, GCS and Azure as image stores of promptvision."""
