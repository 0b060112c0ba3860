"""The state machines of the search: operations in any order, and the model beside the target."""
