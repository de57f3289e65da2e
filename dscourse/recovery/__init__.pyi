from .backups import (
    BackedUpStore as BackedUpStore,
    Change as Change,
    Restored as Restored,
    chance_that_none_works as chance_that_none_works,
)
from .brownout import (
    BrownoutServer as BrownoutServer,
    Service as Service,
    brownout_scenario as brownout_scenario,
    service_of as service_of,
)
from .database import Database as Database
from .durability import (
    copyset_loss_probability as copyset_loss_probability,
    copysets_in_use as copysets_in_use,
    erasure_loss_probability as erasure_loss_probability,
    lost_groups as lost_groups,
    mean_time_to_data_loss as mean_time_to_data_loss,
    probability_of_data_loss as probability_of_data_loss,
)
from .failover import (
    DOCUMENTED as DOCUMENTED,
    REDIRECTS as REDIRECTS,
    FailoverController as FailoverController,
    FailoverReport as FailoverReport,
    failover_report as failover_report,
    failover_scenario as failover_scenario,
)
from .fleet import (
    FleetController as FleetController,
    FleetReport as FleetReport,
    Machine as Machine,
    fleet_report as fleet_report,
)
from .reconciler import (
    Action as Action,
    Create as Create,
    Forget as Forget,
    Reconciler as Reconciler,
    Remove as Remove,
)
from .recorded_losses import PairLosses as PairLosses, pair_losses as pair_losses
from .rereplication import (
    RepairMaster as RepairMaster,
    RepairReport as RepairReport,
    StorageServer as StorageServer,
    repair_report as repair_report,
    rereplication_scenario as rereplication_scenario,
)
from .stale_answers import (
    Stale as Stale,
    stale_answers_scenario as stale_answers_scenario,
)
from .supervisor import (
    Supervisor as Supervisor,
    WorkReport as WorkReport,
    at_work_since as at_work_since,
    restart_storm as restart_storm,
    work_off as work_off,
)
