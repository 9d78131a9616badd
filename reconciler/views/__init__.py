"""Renderings of plans, outcomes and problems; they decide nothing."""
