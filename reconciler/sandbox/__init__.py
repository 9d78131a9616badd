"""An embedded ClearML-compatible server, written from the API reference alone.

Open a :class:`~reconciler.sandbox.store.Store`, make an application with
:func:`~reconciler.sandbox.app.create_app`, and use it in process or with :func:`~reconciler.sandbox.serve.serve`.
What the reference leaves open is decided in :mod:`reconciler.sandbox.choices`.
"""
