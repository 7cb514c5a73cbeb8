/* The Python side of what is done to n-grams in rows, and to pieces of buffers; module.c has the rest. */
#include "buffers.h"
#include "kernels.h"

/* Whether ranges of a list are in it. */
static int are_ranges(const int64_t *begins, const int64_t *ends, size_t ranges, size_t size)
{
    for (size_t i = 0; i < ranges; i++)
        if (begins[i] < 0 || ends[i] < begins[i] || (uint64_t)ends[i] > size)
            return 0;
    return 1;
}

static size_t length_of(const int64_t *begins, const int64_t *ends, size_t ranges)
{
    size_t all = 0;
    for (size_t i = 0; i < ranges; i++)
        all += (size_t)(ends[i] - begins[i]);
    return all;
}

PyObject *ld50_py_slices(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *data, *starts, *ends, *out;
    if (!PyArg_ParseTuple(args, "OOOO", &data, &starts, &ends, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    size_t size, count, end_count, room;
    const uint8_t *bytes = take(&buffers, data, 1, 0, &size);
    const int64_t *begins = bytes ? take(&buffers, starts, 8, 0, &count) : NULL;
    const int64_t *stops = begins ? take(&buffers, ends, 8, 0, &end_count) : NULL;
    uint8_t *copy = stops ? take(&buffers, out, 1, 1, &room) : NULL;
    if (!copy || end_count != count || !are_ranges(begins, stops, count, size) ||
        length_of(begins, stops, count) != room)
        return refuse(&buffers, "slices: expected ranges within the data, and room for just them");
    Py_BEGIN_ALLOW_THREADS
    ld50_slices(bytes, begins, stops, count, copy);
    Py_END_ALLOW_THREADS
    release(&buffers);
    Py_RETURN_NONE;
}

static const char GATHERER[] = "ld50.scan.gatherer";

static void drop_gatherer(PyObject *capsule)
{
    Gatherer *gatherer = PyCapsule_GetPointer(capsule, GATHERER);
    if (gatherer) {
        free(gatherer->entries.data);
        free(gatherer->slots);
        free(gatherer);
    }
}

PyObject *ld50_py_gatherer(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long key;
    if (!PyArg_ParseTuple(args, "K", &key))
        return NULL;
    Gatherer *gatherer = calloc(1, sizeof *gatherer);
    if (!gatherer)
        return PyErr_NoMemory();
    gatherer->entries.item = sizeof(GatherEntry);
    gatherer->key = key | 1;
    PyObject *capsule = PyCapsule_New(gatherer, GATHERER, drop_gatherer);
    if (!capsule)
        free(gatherer);
    return capsule;
}

PyObject *ld50_py_gathered(PyObject *module, PyObject *capsule)
{
    (void)module;
    const Gatherer *gatherer = PyCapsule_GetPointer(capsule, GATHERER);
    if (!gatherer)
        return NULL;
    return PyByteArray_FromStringAndSize((const char *)gatherer->entries.data,
                                         (Py_ssize_t)(gatherer->entries.count * sizeof(GatherEntry)));
}

PyObject *ld50_py_gather(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *capsule, *hashes, *begins, *ends, *rows, *numbers, *starts;
    GatherInput input;
    if (!PyArg_ParseTuple(args, "OOOOOOO", &capsule, &hashes, &begins, &ends, &rows, &numbers, &starts))
        return NULL;
    Gatherer *gatherer = PyCapsule_GetPointer(capsule, GATHERER);
    if (!gatherer)
        return NULL;
    Buffers buffers = {.count = 0};
    size_t hash_count, end_count, run_count, room, start_count;
    input.hashes = take(&buffers, hashes, 8, 0, &hash_count);
    input.begins = input.hashes ? take(&buffers, begins, 8, 0, &input.runs) : NULL;
    input.ends = input.begins ? take(&buffers, ends, 8, 0, &end_count) : NULL;
    input.rows = input.ends ? take(&buffers, rows, 4, 0, &run_count) : NULL;
    input.numbers = input.rows ? take(&buffers, numbers, 4, 1, &room) : NULL;
    input.starts = input.numbers ? take(&buffers, starts, 8, 1, &start_count) : NULL;
    if (!input.starts)
        return refuse(&buffers, "");
    if (end_count != input.runs || run_count != input.runs ||
        !are_ranges(input.begins, input.ends, input.runs, hash_count))
        return refuse(&buffers, "runs: expected a begin, an end and a row of each, within the hashes");
    if (length_of(input.begins, input.ends, input.runs) > room)
        return refuse(&buffers, "numbers: too little room");
    if (!start_count || start_count >= UINT32_MAX - gatherer->rows)
        return refuse(&buffers, "rows: none, or too many");
    input.row_count = start_count - 1;
    for (size_t i = 0; i < input.runs; i++)
        if (input.rows[i] >= input.row_count || (i && input.rows[i] < input.rows[i - 1]))
            return refuse(&buffers, "rows: expected rising numbers below that of the rows");
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_gather(gatherer, &input);
    Py_END_ALLOW_THREADS
    release(&buffers);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* Numbers in ranges, and one value for each candidate. */
static void *take_incidence(Buffers *buffers, PyObject *numbers, PyObject *begins, PyObject *ends,
                            PyObject *values, int writable, Incidence *incidence)
{
    size_t count, end_count;
    incidence->numbers = take(buffers, numbers, 4, 0, &count);
    incidence->begins = incidence->numbers ? take(buffers, begins, 8, 0, &incidence->rows) : NULL;
    incidence->ends = incidence->begins ? take(buffers, ends, 8, 0, &end_count) : NULL;
    void *taken = incidence->ends ? take(buffers, values, 4, writable, &incidence->candidates) : NULL;
    if (!taken)
        return NULL;
    if (end_count != incidence->rows ||
        !are_ranges(incidence->begins, incidence->ends, end_count, count)) {
        PyErr_SetString(PyExc_ValueError, "ranges: expected a begin and an end of each, within the numbers");
        return NULL;
    }
    return taken;
}

static PyObject *written(Buffers *buffers, int64_t count)
{
    if (count < 0)
        return refuse(buffers, "numbers: one that is no candidate's");
    release(buffers);
    return PyLong_FromLongLong(count);
}

PyObject *ld50_py_renumber(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *numbers, *begins, *ends, *values, *out, *out_starts;
    if (!PyArg_ParseTuple(args, "OOOOOO", &numbers, &begins, &ends, &values, &out, &out_starts))
        return NULL;
    Buffers buffers = {.count = 0};
    Incidence incidence;
    size_t room, start_count;
    const uint32_t *renumber = take_incidence(&buffers, numbers, begins, ends, values, 0, &incidence);
    uint32_t *kept = renumber ? take(&buffers, out, 4, 1, &room) : NULL;
    int64_t *starts = kept ? take(&buffers, out_starts, 8, 1, &start_count) : NULL;
    if (!starts)
        return refuse(&buffers, "");
    if (length_of(incidence.begins, incidence.ends, incidence.rows) > room || start_count != incidence.rows + 1)
        return refuse(&buffers, "out: too little room");
    int64_t count;
    Py_BEGIN_ALLOW_THREADS
    count = ld50_renumber(&incidence, renumber, kept, starts);
    Py_END_ALLOW_THREADS
    return written(&buffers, count);
}

PyObject *ld50_py_tally(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *numbers, *begins, *ends, *values, *out;
    if (!PyArg_ParseTuple(args, "OOOOO", &numbers, &begins, &ends, &values, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    Incidence incidence;
    size_t room;
    uint32_t *counts = take_incidence(&buffers, numbers, begins, ends, values, 1, &incidence);
    uint32_t *met = counts ? take(&buffers, out, 4, 1, &room) : NULL;
    if (!met || room != incidence.candidates + 1)
        return refuse(&buffers, "met: expected room for all candidates and one more");
    int64_t count;
    Py_BEGIN_ALLOW_THREADS
    count = ld50_tally(&incidence, counts, met);
    Py_END_ALLOW_THREADS
    return written(&buffers, count);
}
