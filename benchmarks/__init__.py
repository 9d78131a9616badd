"""What the performance figures come from: ``python -m benchmarks`` (see the README's section "Speed")."""
