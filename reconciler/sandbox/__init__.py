"""An embedded ClearML-compatible server, written from the API reference alone.

Open a :class:`~reconciler.sandbox.store.Store`, make an application with
:func:`~reconciler.sandbox.app.create_app`, and use it in process or with :func:`~reconciler.sandbox.serve.serve`.
:mod:`~reconciler.sandbox.bulk` loads and dumps whole workspaces (:mod:`~reconciler.sandbox.state`), and
:func:`~reconciler.sandbox.whitelist.accept_invitation` plays an invited person's first sign-in.

What the reference leaves open is decided in :mod:`reconciler.sandbox.choices`.
"""
