/* The line at hand, and the rows that are made of lines. */

#ifndef SDLC_ROWS_H
#define SDLC_ROWS_H

#include "columns.h"
#include "fields.h"

#define MOST_FIELDS 60
#define OWN 4 /* columns that are no fields */

/* Which records of a call say the same: those that differ in nothing but the time and a count.
 *
 * `part` of the count is told apart from it; a record in which it is more is for another reader.
 */
struct Repeat {
    int32_t call, count, part; /* fields; `call` is below 0 where records stand for themselves */
};

struct Scan {
    const struct Field *fields;
    struct Repeat repeat;
    int count, columns;
    size_t lengths[MOST_FIELDS];
    int8_t column[MOST_FIELDS], next[MOST_FIELDS], heads[MOST_FIELDS + 1][64];
    char formats[64];
    const char *names[64];
    uint64_t told, usual; /* of lines without any of `told` and with one of `usual` comes no row */

    const char *const *files;
    int64_t file, file_count;
    int fd, ended; /* of the file at hand */
    uint8_t *buffer;
    size_t room, held, begin, whole; /* from `begin` to `whole` are lines, from there to `held` a part */
    int64_t line;
    int first, cut; /* no byte of the file is read yet; the rest of a line that is too long comes */

    struct Found found[MOST_FIELDS];
    uint64_t seen, given; /* fields in the line at hand, and those that are not null */
    int error;
};

static int add_text(struct Column *column, int64_t row, const struct Found *found)
{
    if (found) {
        size_t length = found->end - found->begin;
        uint8_t *to = more_text(column, length);
        if (!to)
            return 0;
        if (found->escaped)
            length = unescaped(found->begin, found->end, to);
        else
            memcpy(to, found->begin, length);
        column->held += length;
    }
    column->ends[row + 1] = column->held;
    return 1;
}

/* Adds the line at hand to a batch; 0 where memory is short. */
static int add_row(struct Scan *scan, struct Batch *batch, int odd)
{
    int64_t row = batch->rows;
    uint64_t given = odd ? 0 : scan->given;
    for (int i = 0; i < scan->count; i++) {
        if (scan->column[i] < 0)
            continue;
        struct Column *column = &batch->columns[scan->column[i]];
        const struct Found *found = given >> i & 1 ? &scan->found[i] : NULL;
        if (column->format == 'b') {
            if (found)
                set_bit(column->bits, row);
            continue;
        }
        if (column->format == 'u') {
            if (!add_text(column, row, found))
                return 0;
            batch->text += column->ends[row + 1] - column->ends[row];
        } else {
            if (found && found->number < 0)
                found = NULL;
            column->numbers[row] = found ? found->number : 0;
        }
        if (found)
            set_bit(column->valid, row);
        else
            column->nulls++;
    }
    struct Column *own = &batch->columns[scan->columns - OWN];
    if (odd)
        set_bit(own[0].bits, row);
    own[1].numbers[row] = scan->file;
    own[2].numbers[row] = scan->line;
    own[3].numbers[row] = 0;
    batch->rows++;
    return 1;
}

/* Whether a field of the line at hand, but for the time, is as it is in a row. */
static int same(const struct Scan *scan, int field, const struct Column *column, int64_t row)
{
    const struct Found *found = &scan->found[field];
    int given = scan->given >> field & 1;
    if (column->format == 'b')
        return given == has_bit(column->bits, row);
    if (given != has_bit(column->valid, row) || (given && scan->fields[field].kind == RAW))
        return 0;
    if (!given || field == scan->repeat.count || scan->fields[field].kind == TIME)
        return 1;
    if (column->format == 'l')
        return column->numbers[row] == found->number;
    int32_t begin = column->ends[row], length = column->ends[row + 1] - begin;
    return !found->escaped && length == found->end - found->begin &&
           !memcmp(column->bytes + begin, found->begin, length);
}

/* Whether the line at hand says the same as the last row; then that has the larger count. */
static int repeats(struct Scan *scan, struct Batch *batch)
{
    const struct Repeat *repeat = &scan->repeat;
    int64_t row = batch->rows - 1;
    if (repeat->call < 0 || row < 0)
        return 0;
    struct Column *own = &batch->columns[scan->columns - OWN];
    uint64_t needed = (uint64_t)1 << repeat->call | (uint64_t)1 << repeat->count;
    const struct Found *call = &scan->found[repeat->call];
    if (has_bit(own[0].bits, row) || own[1].numbers[row] != scan->file ||
        (scan->given & needed) != needed || call->end == call->begin)
        return 0;
    for (int i = 0; i < scan->count; i++)
        if (scan->column[i] >= 0 && !same(scan, i, &batch->columns[scan->column[i]], row))
            return 0;
    int64_t *count = &batch->columns[scan->column[repeat->count]].numbers[row];
    int64_t now = scan->found[repeat->count].number, least = now < *count ? now : *count;
    int64_t part = scan->given >> repeat->part & 1 ? scan->found[repeat->part].number : 0;
    if (least == 0 || part > least)
        return 0;
    own[3].numbers[row]++;
    if (now > *count) {
        *count = now;
        own[2].numbers[row] = scan->line;
        for (int i = 0; i < scan->count; i++)
            if (scan->fields[i].kind == TIME && scan->given >> i & 1)
                batch->columns[scan->column[i]].numbers[row] = scan->found[i].number;
    }
    return 1;
}

#endif
