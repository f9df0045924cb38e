"""The porting guide: pages made of the code that the tests run and of facts that they verify."""
