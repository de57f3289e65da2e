from .history import History as History, Operation as Operation
from .linearizability import check_linearizable as check_linearizable
from .models import (
    REFUSED as REFUSED,
    CasRegister as CasRegister,
    KeyValue as KeyValue,
    Model as Model,
    Register as Register,
)
from .verdict import HistoryVerdict as HistoryVerdict
