"""The porting guide: its pages show the code that the tests run and facts that the tests verify."""
