from .causality import (
    SESSION_GUARANTEES as SESSION_GUARANTEES,
    check_causal as check_causal,
    check_session_guarantee as check_session_guarantee,
)
from .comparison import (
    CONSISTENCY_MODELS as CONSISTENCY_MODELS,
    check_all as check_all,
    deciding_operations as deciding_operations,
    implied_models as implied_models,
)
from .examples import EXAMPLES as EXAMPLES, separating_example as separating_example
from .history import History as History, Operation as Operation
from .linearizability import check_linearizable as check_linearizable
from .models import (
    REFUSED as REFUSED,
    CasRegister as CasRegister,
    KeyValue as KeyValue,
    Model as Model,
    Register as Register,
)
from .notation import history_from_text as history_from_text, text_of_history as text_of_history
from .sequential import check_sequential as check_sequential
from .verdict import HistoryVerdict as HistoryVerdict
