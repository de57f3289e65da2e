"""Rules of each step stand in the ground, where models use them, too."""

from dscourse.simulation.breaches import Breach as Breach, unbroken as unbroken
