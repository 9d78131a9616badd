"""What tests of whole commands share: a runner, a workspace folder, and the sandbox's truth."""
