"""Rehearsals: updates of an application on the twin, cut at each of their flash operations."""

from spboot.rehearsal.cuts import DEPTHS
from spboot.rehearsal.rehearsal import Rehearsal, Result, part_of, rehearse
from spboot.rehearsal.replay import replay
from spboot.rehearsal.scenario import SCENARIOS
from spboot.rehearsal.subject import Subject
from spboot.rehearsal.walk import Loss

__all__ = ["DEPTHS", "SCENARIOS", "Loss", "Rehearsal", "Result", "Subject", "part_of", "rehearse", "replay"]
