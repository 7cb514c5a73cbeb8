"""Language models of every size that a study trains: shapes, costs, vocabularies, weights.

`shapes` and `costs` are plain Python, so that a study is planned where torch is not installed.
"""

from ld50.models.costs import TrainingCost, training_cost
from ld50.models.shapes import SIZES, ModelShape, shape_named

__all__ = ["SIZES", "ModelShape", "TrainingCost", "shape_named", "training_cost"]
