"""The operations that a published SavedModel may hold, by their names in TensorFlow.

None of them reads or writes anything but tensors and the model's own variables. There
is no rule by which the dangerous ones could be told (TensorFlow counts `ReadFile` among
the stateless ones), so that the harmless ones are listed. An export that needs another
one adds it here, after a look at what it can do.
"""

from __future__ import annotations

_ARITHMETIC = """
Abs Acos Acosh Add AddN AddV2 ApproximateEqual ArgMax ArgMin Asin Asinh Atan Atan2 Atanh
BatchMatMul BatchMatMulV2 BatchMatMulV3 BiasAdd BiasAddGrad BiasAddV1 BitwiseAnd
BitwiseOr BitwiseXor Bucketize Ceil ClipByValue Cos Cosh Cross Cumprod Cumsum Digamma
Div DivNoNan Einsum Elu EluGrad Equal Erf Erfc Erfinv Exp Expm1 Floor FloorDiv FloorMod
Greater GreaterEqual IsFinite IsInf IsNan L2Loss LeakyRelu LeakyReluGrad LeftShift Less
LessEqual Lgamma LinSpace Log Log1p LogicalAnd LogicalNot LogicalOr LogSoftmax MatMul
Max Maximum Mean Min Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual Pow Prod
RealDiv Reciprocal ReciprocalGrad Relu Relu6 Relu6Grad ReluGrad RightShift Rint Round
Rsqrt RsqrtGrad Selu SeluGrad Sigmoid SigmoidGrad Sign Sin Sinh Softmax
SoftmaxCrossEntropyWithLogits Softplus SoftplusGrad Softsign SoftsignGrad
SparseSoftmaxCrossEntropyWithLogits Sqrt SqrtGrad Square SquaredDifference Sub Sum Tan
Tanh TanhGrad TruncateDiv TruncateMod Xdivy Xlog1py Xlogy
"""
_ARRAYS = """
All Any Bitcast BroadcastArgs BroadcastGradientArgs BroadcastTo Cast Concat ConcatOffset
ConcatV2 Const DepthToSpace Diag DiagPart DynamicPartition DynamicStitch EnsureShape
ExpandDims Fill Gather GatherNd GatherV2 Identity IdentityN InTopKV2 InvertPermutation
MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV3 MatrixDiagV3 MirrorPad OneHot
OnesLike Pack Pad PadV2 ParallelDynamicStitch Placeholder PlaceholderWithDefault
PreventGradient Range Rank Reshape ReverseSequence ReverseV2 Roll ScatterNd SegmentSum
Select SelectV2 Shape ShapeN Size Slice Snapshot SpaceToDepth Split SplitV Squeeze
StopGradient StridedSlice StridedSliceGrad TensorScatterAdd TensorScatterMax
TensorScatterMin TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile TopK
TopKV2 Transpose Unique UniqueV2 Unpack UnsortedSegmentMax UnsortedSegmentSum Where
ZerosLike
"""
_IMAGES = """
AvgPool AvgPoolGrad Conv2D Conv2DBackpropFilter Conv2DBackpropInput
DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter
DepthwiseConv2dNativeBackpropInput MaxPool MaxPoolGrad MaxPoolV2 ResizeBilinear
ResizeNearestNeighbor
"""
_RANDOM = """
StatelessMultinomial StatelessParameterizedTruncatedNormal StatelessRandomGetAlg
StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg StatelessRandomNormal
StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformFullInt
StatelessRandomUniformFullIntV2 StatelessRandomUniformInt StatelessRandomUniformIntV2
StatelessRandomUniformV2 StatelessShuffle StatelessTruncatedNormal
StatelessTruncatedNormalV2
"""
_CONTROL = """
Assert Case ControlTrigger If LoopCond NoOp PartitionedCall StatefulPartitionedCall
StatelessCase StatelessIf StatelessWhile While
"""
_LISTS = """
EmptyTensorList TensorListConcatV2 TensorListElementShape TensorListFromTensor
TensorListGather TensorListGetItem TensorListLength TensorListPopBack
TensorListPushBack TensorListReserve TensorListResize TensorListScatterV2
TensorListSetItem TensorListSplit TensorListStack
"""
_VARIABLES = """
AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead
ReadVariableOp ResourceGather VarHandleOp VariableShape
"""

ALLOWED = frozenset(
    " ".join(
        (_ARITHMETIC, _ARRAYS, _IMAGES, _RANDOM, _CONTROL, _LISTS, _VARIABLES)
    ).split()
)

# With which a SavedModel reads and writes its variables, at a path that it is given.
OWN_FILES = frozenset(
    (
        *("MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"),
        *("StaticRegexFullMatch", "StringJoin"),
    )
)
# The texts that TensorFlow writes there, besides names of variables.
OWN_TEXTS = frozenset((b"_CHECKPOINTABLE_OBJECT_GRAPH", b"_temp/part", b".part"))
