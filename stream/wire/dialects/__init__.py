"""Events as shops' own platforms write them → canonical events; one small module a dialect."""
