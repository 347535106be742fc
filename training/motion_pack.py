"""Old names, until everything uses the new ones."""

from .errors import TrainingDataError as TrainingDataError
from .motion_set import MotionSet as MotionSet
from .motion_set import read_motion_set as read_motion_set
from .motion_set import write_motion_set as write_motion_set
from .readers.cmu_pack import PACK as PACK
from .readers.cmu_pack import read_pack as read_pack
