"""What a report says in few lines: badges, lists of known failures, annotations and outputs of a job."""
