from .counterexample import Counterexample as Counterexample
