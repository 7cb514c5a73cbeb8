/* What Python gives a kernel: buffers of an expected size, held while the kernel runs. */
#ifndef LD50_BUFFERS_H
#define LD50_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum { MAX_BUFFERS = 12 };

/* The buffers of one call, to be released together. */
typedef struct {
    Py_buffer held[MAX_BUFFERS];
    int count;
} Buffers;

static inline void release(Buffers *buffers)
{
    for (int i = 0; i < buffers->count; i++)
        PyBuffer_Release(&buffers->held[i]);
}

/* The contiguous memory of an object as items of `item` bytes; NULL with an error set. A buffer of no
   bytes gives a pointer that is not NULL. */
static inline void *take(Buffers *buffers, PyObject *object, size_t item, int writable, size_t *count)
{
    static uint64_t nothing[1];
    Py_buffer *view = &buffers->held[buffers->count];
    if (PyObject_GetBuffer(object, view, writable ? PyBUF_WRITABLE : PyBUF_SIMPLE))
        return NULL;
    buffers->count++;
    if ((size_t)view->len % item || (view->len && (uintptr_t)view->buf % item)) {
        PyErr_SetString(PyExc_ValueError, "buffer: not a whole number of aligned items");
        return NULL;
    }
    *count = (size_t)view->len / item;
    return view->len ? view->buf : nothing;
}

static inline PyObject *refuse(Buffers *buffers, const char *message)
{
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, message);
    release(buffers);
    return NULL;
}

/* Kernels of module_incidence.c. */
PyObject *ld50_py_slices(PyObject *module, PyObject *args);
PyObject *ld50_py_gatherer(PyObject *module, PyObject *args);
PyObject *ld50_py_gather(PyObject *module, PyObject *args);
PyObject *ld50_py_gathered(PyObject *module, PyObject *capsule);
PyObject *ld50_py_renumber(PyObject *module, PyObject *args);
PyObject *ld50_py_tally(PyObject *module, PyObject *args);

#endif
