/* The Python side of the kernels: buffers in, buffers out, the GIL released in between.

   ld50.scan.kernels calls this with arrays it has made contiguous; sizes and offsets are checked here
   again, since a wrong one would read outside. */
#include "buffers.h"
#include "characters.h"
#include "kernels.h"
#include "tokens.h"

static int take_column(Buffers *buffers, PyObject *offsets, PyObject *data, Column *column)
{
    size_t count;
    column->offsets = take(buffers, offsets, sizeof(int64_t), 0, &count);
    column->data = column->offsets ? take(buffers, data, 1, 0, &column->size) : NULL;
    if (!column->data)
        return -1;
    if (!count || count - 1 >= UINT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "offsets: expected 1 to 2**32 - 1 values");
        return -1;
    }
    column->rows = count - 1;
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t offset = column->offsets[i];
        if (offset < before || (i && offset - before > (int64_t)UINT32_MAX)) {
            PyErr_SetString(PyExc_ValueError, "offsets: expected a rising sequence, rows under 4 GiB");
            return -1;
        }
        before = offset;
    }
    if ((uint64_t)before > column->size) {
        PyErr_SetString(PyExc_ValueError, "offsets: beyond the data");
        return -1;
    }
    return 0;
}

static int is_power_of_two(size_t count)
{
    return count && !(count & (count - 1));
}

static int log_two(size_t count)
{
    int bits = 0;
    while (count >>= 1)
        bits++;
    return bits;
}

/* The grown columns as a tuple of bytearrays; frees them. */
static PyObject *columns_out(Grown *columns, int count, int failed)
{
    PyObject *tuple = failed ? PyErr_NoMemory() : PyTuple_New(count);
    for (int i = 0; i < count; i++) {
        if (tuple) {
            PyObject *bytes = PyByteArray_FromStringAndSize(
                (const char *)columns[i].data, (Py_ssize_t)(columns[i].count * columns[i].item));
            if (!bytes || PyTuple_SetItem(tuple, i, bytes)) {
                Py_DECREF(tuple);
                tuple = NULL;
            }
        }
        free(columns[i].data);
    }
    return tuple;
}

/* Whether every look-up ends, and within the points. */
static int is_frequent_table(const ProfileInput *input, size_t slots, size_t numbers, size_t pairs)
{
    if (slots != FREQUENT_SLOTS || numbers != FREQUENT_SLOTS || pairs != FREQUENT * FREQUENT)
        return 0;
    size_t used = 0;
    for (size_t slot = 0; slot < slots; slot++) {
        used += input->frequent[slot] != 0;
        if (input->frequent[slot] && input->frequent_number[slot] >= FREQUENT)
            return 0;
    }
    return used <= FREQUENT;
}

/* What the words of rows are weighed with, in the order in which kernels are given it. */
typedef struct {
    PyObject *words, *bigrams, *points, *frequent, *numbers, *pairs;
} WordArguments;

/* 0, or -1 with an error set. */
static int take_words(Buffers *buffers, const WordArguments *arguments, ProfileInput *input)
{
    size_t points, slots, numbers, pairs;
    input->words = take(buffers, arguments->words, 4, 0, &input->word_slots);
    input->bigrams = input->words ? take(buffers, arguments->bigrams, 8, 0, &input->bigram_words) : NULL;
    input->points = input->bigrams ? take(buffers, arguments->points, 2, 0, &points) : NULL;
    input->frequent = input->points ? take(buffers, arguments->frequent, 8, 0, &slots) : NULL;
    input->frequent_number = input->frequent ? take(buffers, arguments->numbers, 1, 0, &numbers) : NULL;
    input->frequent_points = input->frequent_number ? take(buffers, arguments->pairs, 1, 0, &pairs) : NULL;
    if (!input->frequent_points)
        return -1;
    const char *wrong = NULL;
    if (slots && !is_frequent_table(input, slots, numbers, pairs))
        wrong = "frequent: expected 2048 slots, most of them empty, and points of each pair";
    else if (input->word_slots && (!is_power_of_two(input->word_slots) || input->word_slots < 8))
        wrong = "words: expected a power of two of at least 8 entries";
    else if (input->bigram_words && (!is_power_of_two(input->bigram_words) || input->bigram_words < 8))
        wrong = "bigrams: expected a power of two of at least 512 bits";
    else if (points != POINTS && points != POINTS * WEIGHINGS)
        wrong = "points: expected 138 for each of one or two weighings";
    if (wrong) {
        PyErr_SetString(PyExc_ValueError, wrong);
        return -1;
    }
    if (!slots)
        input->frequent = NULL;
    input->weighings = (int)(points / POINTS);
    return 0;
}

static PyObject *py_profile(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *trigrams, *out;
    WordArguments words;
    ProfileInput input;
    Column column;
    unsigned int lead_bytes;
    size_t trigram_bytes, out_bytes;
    if (!PyArg_ParseTuple(args, "OOOiOOOOOOiIO", &offsets, &data, &trigrams, &input.languages, &words.words,
                          &words.bigrams, &words.points, &words.frequent, &words.numbers, &words.pairs,
                          &input.threshold, &lead_bytes, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    input.trigrams = take(&buffers, trigrams, 1, 0, &trigram_bytes);
    if (!input.trigrams || take_words(&buffers, &words, &input))
        return refuse(&buffers, "");
    uint8_t *columns = take(&buffers, out, 1, 1, &out_bytes);
    if (!columns)
        return refuse(&buffers, "");
    input.trigram_bits = log_two(trigram_bytes) - 5;
    input.lead_bytes = lead_bytes;
    if (!is_power_of_two(trigram_bytes) || input.trigram_bits < 8 || input.trigram_bits > 20)
        return refuse(&buffers, "trigrams: expected (2**bits, 32) bytes, bits 8 to 20");
    if (input.weighings != 1 || input.languages < 1 || input.languages > 32 || input.threshold < 0 ||
        input.threshold > 255 * 16 || lead_bytes > 4096)
        return refuse(&buffers, "settings: out of range");
    if (out_bytes != column.rows * 67 || (uintptr_t)columns % 8)
        return refuse(&buffers, "out: expected 67 aligned bytes a row");
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_profile(&column, &input, columns);
    Py_END_ALLOW_THREADS
    release(&buffers);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_tail_salads(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *out;
    WordArguments words;
    ProfileInput input = {.trigrams = NULL};
    Column column;
    unsigned int most;
    size_t count;
    if (!PyArg_ParseTuple(args, "OOIOOOOOOO", &offsets, &data, &most, &words.words, &words.bigrams,
                          &words.points, &words.frequent, &words.numbers, &words.pairs, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    if (take_column(&buffers, offsets, data, &column) || take_words(&buffers, &words, &input))
        return refuse(&buffers, "");
    uint32_t *found = take(&buffers, out, 4, 1, &count);
    if (!found || count != column.rows * 3 * (size_t)input.weighings)
        return refuse(&buffers, "out: expected three values a row and weighing");
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_tail_salads(&column, &input, most, found);
    Py_END_ALLOW_THREADS
    release(&buffers);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_ngrams(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *rows, *starts, *ends, *buckets;
    unsigned int kinds, max_per_row, least;
    int distinct, tally, placed;
    if (!PyArg_ParseTuple(args, "OOOOOIIpOIpp", &offsets, &data, &rows, &starts, &ends, &kinds,
                          &max_per_row, &distinct, &buckets, &least, &tally, &placed))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    NgramInput input = {
        .kinds = kinds, .max_per_row = max_per_row, .distinct = distinct, .least = least, .tally = tally,
        .placed = placed};
    size_t start_count, end_count, bucket_count;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    input.rows = take(&buffers, rows, 4, 0, &input.count);
    input.starts = input.rows ? take(&buffers, starts, 4, 0, &start_count) : NULL;
    input.ends = input.starts ? take(&buffers, ends, 4, 0, &end_count) : NULL;
    if (!input.ends)
        return refuse(&buffers, "");
    if (start_count != input.count || end_count != input.count)
        return refuse(&buffers, "rows, starts, ends: expected the same length");
    if (buckets != Py_None || tally) {
        input.buckets = take(&buffers, buckets, 1, tally, &bucket_count);
        if (!input.buckets)
            return refuse(&buffers, "");
        if (!is_power_of_two(bucket_count) || bucket_count < 2)
            return refuse(&buffers, "buckets: expected a power of two of at least 2 bytes");
        input.bucket_bits = log_two(bucket_count);
    }
    for (size_t i = 0; i < input.count; i++)
        if (input.rows[i] >= column.rows)
            return refuse(&buffers, "rows: no such row");
    Grown out[NGRAM_COLUMNS] = {{.item = 4}, {.item = 8}, {.item = 4}, {.item = 4}};
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_ngrams(&column, &input, out);
    Py_END_ALLOW_THREADS
    release(&buffers);
    return columns_out(out, NGRAM_COLUMNS, failed);
}

static PyObject *py_phrase_hashes(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *out;
    int stream, failed;
    if (!PyArg_ParseTuple(args, "OOiO", &offsets, &data, &stream, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    size_t count;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    uint64_t *hashes = take(&buffers, out, 8, 1, &count);
    if (!hashes || count != column.rows)
        return refuse(&buffers, "out: expected one value a row");
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_phrase_hashes(&column, stream, hashes);
    Py_END_ALLOW_THREADS
    release(&buffers);
    if (failed)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_bytes_hashes(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *out;
    if (!PyArg_ParseTuple(args, "OOO", &offsets, &data, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    size_t count;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    uint64_t *hashes = take(&buffers, out, 8, 1, &count);
    if (!hashes || count != column.rows)
        return refuse(&buffers, "out: expected one value a row");
    Py_BEGIN_ALLOW_THREADS
    ld50_bytes_hashes(&column, hashes);
    Py_END_ALLOW_THREADS
    release(&buffers);
    Py_RETURN_NONE;
}

static PyObject *py_byte_classes(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *classes, *out;
    if (!PyArg_ParseTuple(args, "OOOO", &offsets, &data, &classes, &out))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    size_t class_count, count;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    const uint8_t *table = take(&buffers, classes, 1, 0, &class_count);
    int64_t *counts = table ? take(&buffers, out, 8, 1, &count) : NULL;
    if (!counts || class_count != 256 || count != column.rows * 8)
        return refuse(&buffers, "classes, out: expected 256 bytes, and 8 counts a row");
    Py_BEGIN_ALLOW_THREADS
    ld50_byte_classes(&column, table, counts);
    Py_END_ALLOW_THREADS
    release(&buffers);
    Py_RETURN_NONE;
}

static PyObject *py_count_candidates(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data, *hashes, *listed, *filter, *slots, *counts;
    unsigned int kinds;
    int placed;
    if (!PyArg_ParseTuple(args, "OOOOOOIOp", &offsets, &data, &hashes, &listed, &filter, &slots, &kinds,
                          &counts, &placed))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    CountInput input = {.kinds = kinds, .placed = placed};
    size_t listed_count, filter_count, slot_count, count_count;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    input.hashes = take(&buffers, hashes, 8, 0, &input.candidates);
    input.listed = input.hashes ? take(&buffers, listed, 4, 0, &listed_count) : NULL;
    input.filter = input.listed ? take(&buffers, filter, 4, 0, &filter_count) : NULL;
    input.slots = input.filter ? take(&buffers, slots, 4, 0, &slot_count) : NULL;
    input.counts = input.slots ? take(&buffers, counts, 4, 1, &count_count) : NULL;
    if (!input.counts)
        return refuse(&buffers, "");
    if (listed_count != input.candidates || count_count != input.candidates ||
        !is_power_of_two(filter_count) || filter_count < 2 || !is_power_of_two(slot_count) || slot_count < 2)
        return refuse(&buffers, "candidates: arrays do not fit together");
    if (filter_count > (size_t)1 << 31 || slot_count > (size_t)1 << 32)
        return refuse(&buffers, "candidates: too many");
    input.filter_bits = log_two(filter_count);
    input.slot_bits = log_two(slot_count);
    Grown out[COUNT_COLUMNS] = {{.item = 4}, {.item = 4}, {.item = 4}, {.item = 4}};
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_count(&column, &input, out);
    Py_END_ALLOW_THREADS
    release(&buffers);
    return columns_out(out, COUNT_COLUMNS, failed);
}

static PyObject *py_sentences(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data;
    unsigned int min_words, max_words;
    if (!PyArg_ParseTuple(args, "OOII", &offsets, &data, &min_words, &max_words))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    Grown out[SENTENCE_COLUMNS] = {{.item = 4}, {.item = 8}, {.item = 4}, {.item = 4}, {.item = 4}};
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_sentences(&column, min_words, max_words, out);
    Py_END_ALLOW_THREADS
    release(&buffers);
    return columns_out(out, SENTENCE_COLUMNS, failed);
}

static PyObject *py_fragments(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *offsets, *data;
    if (!PyArg_ParseTuple(args, "OO", &offsets, &data))
        return NULL;
    Buffers buffers = {.count = 0};
    Column column;
    if (take_column(&buffers, offsets, data, &column))
        return refuse(&buffers, "");
    Grown out[FRAGMENT_COLUMNS] = {{.item = 4}, {.item = 8}, {.item = 4}, {.item = 4}, {.item = 1}};
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = ld50_fragments(&column, out);
    Py_END_ALLOW_THREADS
    release(&buffers);
    return columns_out(out, FRAGMENT_COLUMNS, failed);
}

static PyObject *py_limit_variant(PyObject *module, PyObject *args)
{
    (void)module;
    int most;
    if (!PyArg_ParseTuple(args, "i", &most))
        return NULL;
    ld50_limit_variant(most);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"profile", py_profile, METH_VARARGS, "Fills the columns of a profile."},
    {"tail_salads", py_tail_salads, METH_VARARGS, "The salad at the end of each row, by several weighings."},
    {"ngrams", py_ngrams, METH_VARARGS, "N-grams of zones of rows."},
    {"phrase_hashes", py_phrase_hashes, METH_VARARGS, "Each row's hash as one n-gram."},
    {"bytes_hashes", py_bytes_hashes, METH_VARARGS, "Each row's hash as bytes."},
    {"byte_classes", py_byte_classes, METH_VARARGS, "Bytes of each class, by row."},
    {"slices", ld50_py_slices, METH_VARARGS, "Copies pieces of a buffer."},
    {"gatherer", ld50_py_gatherer, METH_VARARGS, "What n-grams are gathered in."},
    {"gather", ld50_py_gather, METH_VARARGS, "Numbers n-grams, and lists them by row."},
    {"gathered", ld50_py_gathered, METH_O, "The n-grams that were gathered."},
    {"renumber", ld50_py_renumber, METH_VARARGS, "Numbers candidates anew, or leaves them out."},
    {"tally", ld50_py_tally, METH_VARARGS, "Counts candidates in some rows."},
    {"count_candidates", py_count_candidates, METH_VARARGS, "Rows per candidate n-gram."},
    {"sentences", py_sentences, METH_VARARGS, "Sentences of rows."},
    {"fragments", py_fragments, METH_VARARGS, "Fragments of rows."},
    {"limit_variant", py_limit_variant, METH_VARARGS, "Lets no code for newer CPUs run; for tests."},
    {NULL, NULL, 0, NULL},
};

static int prepare(PyObject *module)
{
    (void)module;
    ld50_characters_init();
    ld50_tokens_init();
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)prepare},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "ld50.scan._kernels", "Text kernels over Arrow buffers; see ld50.scan.kernels.",
    0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&definition);
}
