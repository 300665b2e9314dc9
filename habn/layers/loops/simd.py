"""Eight float32 at once, as a type of Numba: `load` and `store` of eight elements of an array, and arithmetic.

LLVM vectorizes a loop over channels by itself, but keeps no sum of it in a register from one pixel to the next, as the
backward pass has nine of. A feature map's elements are float32, or bfloat16 as its bits in uint16, since neither NumPy
nor Numba has that type; either is computed with as float32. Arrays are one-dimensional and contiguous.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 8
# These let LLVM vectorize sums and fuse operations. All of fastmath would also promise that there are no NaN, and so
# hide those that come in.
FAST = ("reassoc", "contract", "arcp", "nsz")

_float, _word, _half = ir.FloatType(), ir.IntType(32), ir.IntType(16)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_lanes = _Lanes()
_vector = ir.VectorType(_float, WIDTH)


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, kind) -> None:
        super().__init__(manager, kind, _vector)


def from_bits(builder, bits, shape=lambda scalar: scalar):
    """bfloat16 to float32; shape(type) makes the type of a vector where bits is one."""
    word = shape(_word)
    return builder.bitcast(builder.shl(builder.zext(bits, word), _same(word, 16)), shape(_float))


def to_bits(builder, value, shape=lambda scalar: scalar):
    """float32 to bfloat16, rounded to the nearest, to even between two; a NaN remains one."""
    word = shape(_word)
    bits = builder.bitcast(value, word)
    odd = builder.and_(builder.lshr(bits, _same(word, 16)), _same(word, 1))
    rounded = builder.lshr(builder.add(bits, builder.add(odd, _same(word, 0x7FFF))), _same(word, 16))
    is_nan = builder.fcmp_unordered("uno", value, value)
    return builder.trunc(builder.select(is_nan, _same(word, 0x7FC0), rounded), shape(_half))


def _same(kind, value):
    return ir.Constant(kind, [value] * WIDTH if isinstance(kind, ir.VectorType) else value)


def _wide(scalar):
    return ir.VectorType(scalar, WIDTH)


def _address(context, builder, array_type, array, index):
    data = context.make_array(array_type)(context, builder, array).data
    element = context.get_data_type(array_type.dtype)
    return builder.bitcast(builder.gep(data, [index], inbounds=True), _wide(element).as_pointer())


@intrinsic
def load(context, array, index):
    """Eight elements of an array from an index on."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        pointer = _address(context, builder, kind, *arguments)
        values = builder.load(pointer, align=kind.dtype.bitwidth // 8)
        return values if kind.dtype == types.float32 else from_bits(builder, values, _wide)

    return _lanes(array, types.intp), generate


@intrinsic
def fetch(context, array, index):
    """Ask for an element that will be read soon; it may lie beyond the end."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _word, _word, _word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, *(ir.Constant(_word, value) for value in (0, 3, 1))])  # read, keep, data
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def store(context, array, index, value):
    """Write eight elements of an array from an index on."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        pointer = _address(context, builder, kind, *arguments[:2])
        values = arguments[2] if kind.dtype == types.float32 else to_bits(builder, arguments[2], _wide)
        builder.store(values, pointer, align=kind.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes), generate


@intrinsic
def same(context, value):
    """One float32 in all eight."""

    def generate(context, builder, signature, arguments):
        one = builder.insert_element(ir.Constant(_vector, ir.Undefined), arguments[0], ir.Constant(_word, 0))
        zeros = ir.Constant(_wide(_word), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_vector, ir.Undefined), zeros)

    return _lanes(types.float32), generate


@intrinsic
def total(context, value):
    """The sum of the eight."""

    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(_float, [_float, _vector])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{WIDTH}f32")
        return builder.call(function, [ir.Constant(_float, 0.0), *arguments], fastmath=FAST)

    return types.float32(_lanes), generate


@intrinsic
def root(context, value):
    def generate(context, builder, signature, arguments):
        kind = ir.FunctionType(_vector, [_vector])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{WIDTH}f32")
        return builder.call(function, arguments, fastmath=FAST)

    return _lanes(_lanes), generate


@intrinsic
def size(context, value):
    """The absolute value of each."""

    def generate(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], _wide(_word))
        return builder.bitcast(builder.and_(bits, _same(_wide(_word), 0x7FFFFFFF)), _vector)

    return _lanes(_lanes), generate


@intrinsic
def where_greater(context, a, b, yes, no):
    """yes where a > b, else no."""

    def generate(context, builder, signature, arguments):
        first, second, yes, no = arguments
        return builder.select(builder.fcmp_ordered(">", first, second), yes, no)

    return _lanes(_lanes, _lanes, _lanes, _lanes), generate


def _define(symbol, name: str) -> None:
    @infer_global(symbol)
    class OfLanes(ConcreteTemplate):
        cases = [_lanes(_lanes, _lanes)]

    @lower_builtin(symbol, _Lanes, _Lanes)
    def generate(context, builder, signature, arguments):
        return getattr(builder, name)(*arguments, flags=FAST)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")
