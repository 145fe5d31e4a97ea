"""Customer Match through Google's Data Manager API: ``connector.DataManagerConnector``.

Nothing is imported here: the vendor's packages cost half a second, which only a process that
talks to this platform should pay.
"""
