/* Strings of the members of JSON objects, one object a line, without a Python object for any of them.

   It takes only what is plainly sound, and gives up on the whole block at the first doubt: what is odd is
   read by ld50.corpus.jsonrows, which is also what this is tested against. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <emmintrin.h>
#define HAS_SSE2 1
#endif

enum { MAX_FIELDS = 8, MAX_DEPTH = 32, MAX_NUMBER = 64, SLACK = 16 };

typedef struct {
    const char *name;
    size_t size;
    uint8_t *out;
    size_t filled;
} Field;

/* A line; `readable` is where the whole block ends. */
typedef struct {
    const uint8_t *at, *end, *readable;
} Line;

static void skip_space(Line *line)
{
    while (line->at < line->end &&
           (*line->at == ' ' || *line->at == '\t' || *line->at == '\r' || *line->at == '\n'))
        line->at++;
}

static int next_is(Line *line, uint8_t byte)
{
    if (line->at >= line->end || *line->at != byte)
        return 0;
    line->at++;
    return 1;
}

static int is_digit(const Line *line)
{
    return line->at < line->end && (uint8_t)(*line->at - '0') < 10;
}

static int skip_word(Line *line, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(line->end - line->at) < size || memcmp(line->at, word, size))
        return 0;
    line->at += size;
    return 1;
}

static int skip_digits(Line *line)
{
    if (!is_digit(line))
        return 0;
    while (is_digit(line))
        line->at++;
    return 1;
}

static int skip_number(Line *line)
{
    const uint8_t *start = line->at;
    next_is(line, '-');
    if (!next_is(line, '0') && !skip_digits(line))
        return 0;
    if (next_is(line, '.') && !skip_digits(line))
        return 0;
    if (next_is(line, 'e') || next_is(line, 'E')) {
        if (!next_is(line, '+'))
            next_is(line, '-');
        if (!skip_digits(line))
            return 0;
    }
    return line->at - start <= MAX_NUMBER && !is_digit(line);
}

/* Four hexadecimal digits, or -1. */
static int32_t code_unit(const uint8_t *p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t digit = (uint8_t)(p[i] - '0'), letter = (uint8_t)((p[i] | 0x20) - 'a');
        if (digit > 9 && letter > 5)
            return -1;
        value = value << 4 | (digit <= 9 ? digit : letter + 10);
    }
    return value;
}

/* Writes a code point as UTF-8; gives its length. */
static size_t write_code(uint8_t *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* Reads what follows `\u`. Halves of characters that stand alone are refused. */
static int read_code(Line *line, uint8_t *out, size_t *size)
{
    if (line->end - line->at < 4)
        return 0;
    int32_t unit = code_unit(line->at);
    line->at += 4;
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
        return 0;
    uint32_t code = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xDC00) {
        if (line->end - line->at < 6 || line->at[0] != '\\' || line->at[1] != 'u')
            return 0;
        int32_t second = code_unit(line->at + 2);
        line->at += 6;
        if (second < 0xDC00 || second > 0xDFFF)
            return 0;
        code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)second - 0xDC00);
    }
    *size = write_code(out, code);
    return 1;
}

/* Reads what follows a backslash. */
static int read_escape(Line *line, uint8_t *out, size_t *size)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (line->at >= line->end)
        return 0;
    uint8_t byte = *line->at++;
    if (byte == 'u')
        return read_code(line, out, size);
    const char *found = byte ? strchr(from, byte) : NULL;
    if (!found)
        return 0;
    out[0] = (uint8_t)to[found - from];
    *size = 1;
    return 1;
}

/* Copies bytes up to a quote, a backslash or a control character, or near the end of the line. */
static void copy_plain(Line *line, uint8_t **out)
{
#ifdef HAS_SSE2
    const uint8_t *p = line->at;
    uint8_t *to = *out;
    while (line->readable - p >= SLACK) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, marks));
        _mm_storeu_si128((__m128i *)(void *)to, bytes);
        if (found) {
            unsigned count = 0;
            while (!(found >> count & 1))
                count++;
            p += count;
            to += count;
            break;
        }
        p += SLACK;
        to += SLACK;
    }
    line->at = p;
    *out = to;
#else
    (void)line;
    (void)out;
#endif
}

/* Reads a string whose opening quote was read; `out` gets no more bytes than the string has here, and up to
   SLACK beyond may be written over. A line without its closing quote ends in a control character. */
static int read_string(Line *line, uint8_t *out, size_t *size)
{
    uint8_t *to = out;
    while (line->at < line->end) {
        copy_plain(line, &to);
        if (line->at >= line->end)
            return 0;
        uint8_t byte = *line->at++;
        if (byte == '"') {
            *size = (size_t)(to - out);
            return 1;
        }
        size_t wide = 1;
        if (byte == '\\') {
            if (!read_escape(line, to, &wide))
                return 0;
        } else if (byte < 0x20) {
            return 0;
        } else {
            *to = byte;
        }
        to += wide;
    }
    return 0;
}

static int skip_string(Line *line)
{
    uint8_t nowhere[4];
    size_t size;
    while (line->at < line->end) {
        uint8_t byte = *line->at++;
        if (byte == '"')
            return 1;
        if (byte < 0x20 || (byte == '\\' && !read_escape(line, nowhere, &size)))
            return 0;
    }
    return 0;
}

static int skip_value(Line *line, int depth);

/* The members of an object or the values of an array, its bracket read. */
static int skip_many(Line *line, uint8_t closing, int depth)
{
    if (depth >= MAX_DEPTH)
        return 0;
    skip_space(line);
    if (next_is(line, closing))
        return 1;
    for (;;) {
        if (closing == '}') {
            if (!next_is(line, '"') || !skip_string(line))
                return 0;
            skip_space(line);
            if (!next_is(line, ':'))
                return 0;
            skip_space(line);
        }
        if (!skip_value(line, depth + 1))
            return 0;
        skip_space(line);
        if (next_is(line, closing))
            return 1;
        if (!next_is(line, ','))
            return 0;
        skip_space(line);
    }
}

static int skip_value(Line *line, int depth)
{
    if (next_is(line, '"'))
        return skip_string(line);
    if (next_is(line, '{'))
        return skip_many(line, '}', depth);
    if (next_is(line, '['))
        return skip_many(line, ']', depth);
    return skip_word(line, "true") || skip_word(line, "false") || skip_word(line, "null") || skip_number(line);
}

/* The number of the field whose name was read up to its quote, -1 if it is none of them, -2 in doubt. */
static int field_of(Line *line, const Field *fields, int count)
{
    const uint8_t *start = line->at;
    int odd = 0;
    for (; line->at < line->end && *line->at != '"'; line->at++) {
        if (*line->at < 0x20 || *line->at == '\\')
            return -2;
        odd |= *line->at >= 0x80;
    }
    size_t size = (size_t)(line->at - start);
    if (!next_is(line, '"'))
        return -2;
    for (int i = 0; i < count; i++)
        if (fields[i].size == size && !memcmp(fields[i].name, start, size))
            return i;
    return odd ? -2 : -1;
}

/* Reads one row: 1, or 0 in doubt. */
static int read_row(Line line, Field *fields, int count, uint8_t *valid, size_t rows)
{
    unsigned met = 0;
    skip_space(&line);
    if (!next_is(&line, '{'))
        return 0;
    skip_space(&line);
    int more = !next_is(&line, '}');
    while (more) {
        int number = next_is(&line, '"') ? field_of(&line, fields, count) : -2;
        skip_space(&line);
        if (number == -2 || !next_is(&line, ':'))
            return 0;
        skip_space(&line);
        if (number < 0) {
            if (!skip_value(&line, 0))
                return 0;
        } else {
            if (met >> number & 1)
                return 0;
            met |= 1u << number;
            Field *field = fields + number;
            size_t size = 0;
            if (next_is(&line, '"')) {
                if (!read_string(&line, field->out + field->filled, &size))
                    return 0;
                valid[(size_t)number * rows] = 1;
            } else if (!skip_word(&line, "null")) {
                return 0;
            }
            field->filled += size;
        }
        skip_space(&line);
        more = next_is(&line, ',');
        if (!more && !next_is(&line, '}'))
            return 0;
        if (more)
            skip_space(&line);
    }
    skip_space(&line);
    return line.at == line.end;
}

static int read_rows(const uint8_t *data, size_t size, const int64_t *starts, const int64_t *ends, size_t rows,
                     Field *fields, int count, int64_t *offsets, uint8_t *valid)
{
    int64_t before = 0;
    for (size_t row = 0; row < rows; row++) {
        /* Lines that lie apart and rise: what they give together cannot be longer than `data`. */
        const int64_t start = starts[row], end = ends[row];
        if (start < before || end < start || (size_t)end > size)
            return 0;
        before = end;
        Line line = {data + start, data + end, data + size};
        for (int i = 0; i < count; i++)
            offsets[(size_t)i * (rows + 1) + row] = (int64_t)fields[i].filled;
        if (!read_row(line, fields, count, valid + row, rows))
            return 0;
    }
    for (int i = 0; i < count; i++)
        offsets[(size_t)i * (rows + 1) + rows] = (int64_t)fields[i].filled;
    return 1;
}

static int take_field(Field *field, Py_buffer *view, PyObject *name, PyObject *out, Py_ssize_t least)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(name, &bytes, &size) || PyObject_GetBuffer(out, view, PyBUF_WRITABLE))
        return -1;
    *field = (Field){bytes, (size_t)size, view->buf, 0};
    if (view->len >= least)
        return 0;
    PyErr_SetString(PyExc_ValueError, "out: too small");
    PyBuffer_Release(view);
    return -1;
}

/* Whether the buffers have the sizes that `count` fields need, and lie as their numbers have to. */
static int fit_together(Py_ssize_t count, Py_ssize_t outs, const Py_buffer *starts, const Py_buffer *ends,
                        const Py_buffer *offsets, const Py_buffer *valid)
{
    const Py_ssize_t wide = (Py_ssize_t)sizeof(int64_t), rows = starts->len / wide;
    const uintptr_t places = (uintptr_t)starts->buf | (uintptr_t)ends->buf | (uintptr_t)offsets->buf;
    return count >= 1 && count <= MAX_FIELDS && outs == count && starts->len == rows * wide &&
           ends->len == starts->len && offsets->len == count * (rows + 1) * wide && valid->len == count * rows &&
           places % sizeof(int64_t) == 0;
}

static PyObject *py_strings(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *names, *outs;
    Py_buffer data, starts, ends, offsets, valid, views[MAX_FIELDS];
    if (!PyArg_ParseTuple(args, "y*y*y*O!w*w*O!", &data, &starts, &ends, &PyTuple_Type, &names, &offsets, &valid,
                          &PyTuple_Type, &outs))
        return NULL;
    Field fields[MAX_FIELDS];
    int taken = 0, done = -1;
    const Py_ssize_t count = PyTuple_Size(names);
    if (!fit_together(count, PyTuple_Size(outs), &starts, &ends, &offsets, &valid)) {
        PyErr_SetString(PyExc_ValueError, "buffers do not fit together");
    } else {
        while (taken < count && !take_field(fields + taken, views + taken, PyTuple_GetItem(names, taken),
                                            PyTuple_GetItem(outs, taken), data.len + SLACK))
            taken++;
        if (taken == count) {
            const size_t rows = (size_t)starts.len / sizeof(int64_t);
            Py_BEGIN_ALLOW_THREADS
            memset(valid.buf, 0, (size_t)valid.len);
            done = read_rows(data.buf, (size_t)data.len, starts.buf, ends.buf, rows, fields, (int)count,
                             offsets.buf, valid.buf);
            Py_END_ALLOW_THREADS
        }
    }
    while (taken)
        PyBuffer_Release(views + --taken);
    Py_buffer *held[] = {&data, &starts, &ends, &offsets, &valid};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++)
        PyBuffer_Release(held[i]);
    return done < 0 ? NULL : PyBool_FromLong(done);
}

static PyMethodDef methods[] = {
    {"strings", py_strings, METH_VARARGS, "Strings of members of objects, one object a line; False in doubt."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "ld50.corpus._jsonstrings", "Strings out of JSON lines; see ld50.corpus.jsonrows.",
    0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__jsonstrings(void)
{
    return PyModuleDef_Init(&definition);
}
