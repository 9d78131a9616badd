"""An embedded ClearML-compatible server, written from the published API alone.

Open a :class:`~reconciler.sandbox.store.Store`, make an application with
:func:`~reconciler.sandbox.app.create_app`, and use it in process or with :func:`~reconciler.sandbox.serve.serve`.
:mod:`~reconciler.sandbox.bulk` loads and dumps whole workspaces (:mod:`~reconciler.sandbox.state`), and
:func:`~reconciler.sandbox.whitelist.accept_invitation` plays an invited person's first sign-in.
:mod:`~reconciler.sandbox.seed` fills a sandbox from a small file.

It imports nothing of the client, and ``tests/contract`` holds its answers to the published API. What that leaves open
is decided in :mod:`reconciler.sandbox.choices`.
"""
