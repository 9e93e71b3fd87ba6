/* Columns of a batch of rows, handed over by the Arrow C data interface.
 *
 * https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html: the three
 * structs below have the layout that is fixed there.
 */

#ifndef SDLC_COLUMNS_H
#define SDLC_COLUMNS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NULLABLE 2 /* ARROW_FLAG_NULLABLE */
#define ROWS 8192  /* in a batch, unless it has too much text */
#define MOST_TEXT (4 * 1024 * 1024)

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* A column that is being filled. Texts grow, the rest has its size from the beginning. */
struct Column {
    char format; /* of Arrow: 'l' 64 bits, 'u' text, 'b' true or false */
    int64_t nulls;
    uint8_t *valid; /* a bit a row */
    union {
        int64_t *numbers;
        int32_t *ends; /* of texts, the first being 0 */
        uint8_t *bits;
    };
    uint8_t *bytes;
    size_t held, room;
    const void *buffers[3];
};

static inline void set_bit(uint8_t *bits, int64_t row) { bits[row >> 3] |= 1 << (row & 7); }

static inline int has_bit(const uint8_t *bits, int64_t row) { return bits[row >> 3] >> (row & 7) & 1; }

static int begin_column(struct Column *column, char format)
{
    size_t size = format == 'l' ? 8 * ROWS : format == 'u' ? 4 * (ROWS + 1) : ROWS / 8;
    memset(column, 0, sizeof *column);
    column->format = format;
    column->valid = calloc(1, ROWS / 8);
    column->numbers = format == 'b' ? calloc(1, size) : malloc(size);
    if (format == 'u') {
        column->room = 1 << 14;
        column->bytes = malloc(column->room);
        if (column->ends)
            column->ends[0] = 0;
    }
    return column->valid && column->numbers && (format != 'u' || column->bytes);
}

static void end_column(struct Column *column)
{
    free(column->valid);
    free(column->numbers);
    free(column->bytes);
}

/* Room for that many more bytes of text; NULL where there is none. */
static uint8_t *more_text(struct Column *column, size_t length)
{
    if (column->held + length > INT32_MAX)
        return NULL;
    if (column->held + length > column->room) {
        size_t room = 2 * (column->held + length);
        uint8_t *bytes = realloc(column->bytes, room);
        if (!bytes)
            return NULL;
        column->bytes = bytes;
        column->room = room;
    }
    return column->bytes + column->held;
}

/* Columns and their rows on the way to who asked for them. */
struct Batch {
    int64_t rows;
    size_t text; /* bytes of it in all columns */
    int count;
    struct ArrowArray *arrays, **children;
    const void *buffers[1];
    struct Column columns[];
};

static void free_batch(struct Batch *batch)
{
    if (!batch)
        return;
    for (int i = 0; i < batch->count; i++)
        end_column(&batch->columns[i]);
    free(batch->arrays);
    free(batch->children);
    free(batch);
}

static struct Batch *new_batch(const char *formats, int count)
{
    struct Batch *batch = calloc(1, sizeof *batch + count * sizeof(struct Column));
    if (!batch)
        return NULL;
    batch->arrays = calloc(count, sizeof *batch->arrays);
    batch->children = calloc(count, sizeof *batch->children);
    int whole = batch->arrays && batch->children;
    for (; whole && batch->count < count; batch->count++)
        whole = begin_column(&batch->columns[batch->count], formats[batch->count]);
    if (whole)
        return batch;
    free_batch(batch);
    return NULL;
}

static void release_child(struct ArrowArray *array) { array->release = NULL; }

static void release_batch(struct ArrowArray *array)
{
    free_batch(array->private_data);
    array->release = NULL;
}

/* Gives the batch away. */
static void hand_over(struct Batch *batch, struct ArrowArray *out)
{
    for (int i = 0; i < batch->count; i++) {
        struct Column *column = &batch->columns[i];
        column->buffers[0] = column->nulls ? column->valid : NULL;
        column->buffers[1] = column->numbers;
        column->buffers[2] = column->bytes;
        batch->arrays[i] = (struct ArrowArray){
            .length = batch->rows,
            .null_count = column->nulls,
            .n_buffers = column->format == 'u' ? 3 : 2,
            .buffers = column->buffers,
            .release = release_child,
        };
        batch->children[i] = &batch->arrays[i];
    }
    *out = (struct ArrowArray){
        .length = batch->rows,
        .n_buffers = 1,
        .n_children = batch->count,
        .buffers = batch->buffers,
        .children = batch->children,
        .release = release_batch,
        .private_data = batch,
    };
}

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    free(schema->private_data);
    schema->release = NULL;
}

/* The names and formats of columns; 0 where memory is short. `names` must live as long. */
static int write_schema(const char *const *names, const char *formats, int count,
                        struct ArrowSchema *out)
{
    static const char *const spelled[] = {['l'] = "l", ['u'] = "u", ['b'] = "b"};
    struct {
        struct ArrowSchema *children[64], each[64];
    } *held = calloc(1, sizeof *held);
    if (!held)
        return 0;
    for (int i = 0; i < count; i++) {
        held->each[i] = (struct ArrowSchema){
            .format = spelled[(int)formats[i]],
            .name = names[i],
            .flags = NULLABLE,
            .release = release_schema,
        };
        held->children[i] = &held->each[i];
    }
    *out = (struct ArrowSchema){
        .format = "+s",
        .name = "",
        .n_children = count,
        .children = held->children,
        .release = release_schema,
        .private_data = held,
    };
    return 1;
}

#endif
