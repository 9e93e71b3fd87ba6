/* Lines of JSON, of which a few fields are wanted, as a stream of Arrow columns.
 *
 * Every line is held against the grammar. One that is not plainly right (no JSON, no object, a
 * wanted field twice or of another type than is usual) comes as a row that is `odd`: its other
 * columns are of no use, and another reader has to look at it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rows.h"

#define EXPORTED __attribute__((visibility("default")))
#define BLOCK (256 * 1024)
#define LONGEST_LINE (16 * 1024 * 1024)

/* A field's place in the table of the object that it is in. */
static inline unsigned bucket(const uint8_t *key, size_t length)
{
    return length ? (key[0] + 3 * key[length / 2] + 5 * length) & 63 : 0;
}

static inline int field_of(const struct Scan *scan, int parent, At key, size_t length)
{
    int at = scan->heads[parent + 1][bucket(key, length)];
    while (at >= 0 && (scan->lengths[at] != length || memcmp(scan->fields[at].key, key, length)))
        at = scan->next[at];
    return at;
}

/* An object whose fields are wanted, `p` behind its bracket; NULL where the line is odd. */
static At object(struct Scan *scan, At p, int parent)
{
    p = space(p);
    if (*p == '}')
        return p + 1;
    for (;; p = space(p + 1)) {
        int escaped = 0;
        At key = p + 1;
        if (*p != '"' || !(p = string(key, &escaped)) || escaped)
            return NULL; /* a key with an escape may be any */
        int at = field_of(scan, parent, key, p - 1 - key);
        p = space(p);
        if (*p != ':')
            return NULL;
        p = space(p + 1);
        if (at < 0) {
            p = value(p);
        } else {
            uint64_t bit = (uint64_t)1 << at;
            if (scan->seen & bit)
                return NULL;
            scan->seen |= bit;
            enum Kind kind = scan->fields[at].kind;
            if (*p == 'n') {
                p = word(p, "null", 4);
            } else {
                scan->given |= bit;
                if (kind == OBJECT)
                    p = *p == '{' ? object(scan, p + 1, at) : NULL;
                else
                    p = wanted(p, kind, &scan->found[at]);
            }
        }
        if (!p)
            return NULL;
        p = space(p);
        if (*p == '}')
            return p + 1;
        if (*p != ',')
            return NULL;
    }
}

/* Whether a batch has as much as one should have: a wanted text may be as long as a line. */
static int full(const struct Batch *batch) { return batch->rows == ROWS || batch->text >= MOST_TEXT; }

static int blank(At p, At end)
{
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        p++;
    return p == end;
}

/* Reads one line; 0 where memory is short. */
static int read_line(struct Scan *scan, struct Batch *batch)
{
    At begin = scan->buffer + scan->begin, p = space(begin);
    int odd = 0;
    scan->line++;
    scan->seen = scan->given = 0;
    At end = *p == '{' ? object(scan, p + 1, -1) : NULL;
    if (end && (*(end = space(end)) != '\n' || end - begin > LONGEST_LINE))
        end = NULL;
    if (!end) {
        end = memchr(p, '\n', scan->buffer + scan->whole - p);
        odd = !blank(begin, end);
        scan->given = 0;
        scan->begin = end + 1 - scan->buffer;
        return odd ? add_row(scan, batch, 1) : 1;
    }
    scan->begin = end + 1 - scan->buffer;
    if (!(scan->given & scan->told) && scan->given & scan->usual)
        return 1;
    return repeats(scan, batch) || add_row(scan, batch, 0);
}

/* Makes room for a block behind what is held. 0 where memory is short. */
static int make_room(struct Scan *scan)
{
    size_t rest = scan->held - scan->begin;
    if (scan->begin)
        memmove(scan->buffer, scan->buffer + scan->begin, rest);
    scan->held = rest;
    scan->begin = scan->whole = 0;
    if (scan->room - rest >= BLOCK + 1 + MARGIN)
        return 1;
    size_t room = 2 * rest + BLOCK + 1 + MARGIN;
    uint8_t *buffer = realloc(scan->buffer, room);
    if (!buffer)
        return 0;
    memset(buffer + scan->room, 0, room - scan->room);
    scan->buffer = buffer;
    scan->room = room;
    return 1;
}

/* Opens the next file. 0 where there is none, or it cannot be opened. */
static int next_file(struct Scan *scan)
{
    if (scan->fd >= 0)
        close(scan->fd);
    scan->fd = -1;
    if (scan->file + 1 >= scan->file_count)
        return 0;
    scan->fd = open(scan->files[++scan->file], O_RDONLY | O_CLOEXEC);
    if (scan->fd < 0)
        scan->error = errno;
    scan->line = scan->ended = scan->cut = 0;
    scan->first = 1;
    return scan->fd >= 0;
}

/* Reads on in the file at hand. 0 where it cannot be read. */
static int read_block(struct Scan *scan)
{
    uint8_t *to = scan->buffer + scan->held;
    ssize_t got;
    do
        got = read(scan->fd, to, BLOCK);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        scan->error = errno;
        return 0;
    }
    if (!got) {
        scan->ended = 1;
        if (scan->held)
            *to = '\n', got = 1; /* which the last line lacks */
    }
    scan->held += got;
    return 1;
}

/* After a block was read: where lines begin and end in the buffer. 0 where memory is short. */
static int find_lines(struct Scan *scan, struct Batch *batch, size_t before)
{
    const uint8_t *buffer = scan->buffer;
    if (scan->cut) {
        At end = memchr(buffer, '\n', scan->held);
        scan->begin = scan->whole = end ? (size_t)(end + 1 - buffer) : scan->held;
        scan->cut = !end;
    } else if (scan->first && (scan->held >= 3 || scan->ended)) {
        scan->begin = scan->whole = scan->held >= 3 && !memcmp(buffer, "\xef\xbb\xbf", 3) ? 3 : 0;
        scan->first = 0;
    }
    for (size_t at = scan->held; at > before; at--) {
        if (buffer[at - 1] == '\n') {
            scan->whole = at;
            return 1;
        }
    }
    if (scan->held - scan->begin <= LONGEST_LINE)
        return 1;
    scan->line++;
    scan->cut = 1;
    scan->begin = scan->whole = scan->held;
    return add_row(scan, batch, 1);
}

/* Makes sure that a line is at hand: 1 if so, 0 at the end of all files, below 0 on an error. */
static int fill(struct Scan *scan, struct Batch *batch)
{
    while (scan->begin == scan->whole) {
        if (full(batch))
            return 1;
        if (scan->fd < 0 || scan->ended) {
            if (!next_file(scan))
                return scan->error ? -1 : 0;
            scan->begin = scan->whole = scan->held = 0;
        }
        scan->error = make_room(scan) ? 0 : ENOMEM;
        size_t before = scan->held;
        if (scan->error || !read_block(scan))
            return -1;
        if (!find_lines(scan, batch, before)) {
            scan->error = ENOMEM;
            return -1;
        }
    }
    return 1;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct Scan *scan = stream->private_data;
    struct Batch *batch = new_batch(scan->formats, scan->columns);
    int more = batch ? 1 : -1;
    memset(out, 0, sizeof *out);
    scan->error = batch ? scan->error : ENOMEM;
    while (more > 0 && !full(batch)) {
        more = fill(scan, batch);
        if (more > 0 && !full(batch) && !read_line(scan, batch)) {
            scan->error = ENOMEM;
            more = -1;
        }
    }
    if (more < 0 || !batch->rows) {
        free_batch(batch);
        return more < 0 ? (scan->error ? scan->error : EIO) : 0;
    }
    hand_over(batch, out);
    return 0;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct Scan *scan = stream->private_data;
    return write_schema(scan->names, scan->formats, scan->columns, out) ? 0 : ENOMEM;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    return strerror(((struct Scan *)stream->private_data)->error);
}

static void release(struct ArrowArrayStream *stream)
{
    struct Scan *scan = stream->private_data;
    if (scan->fd >= 0)
        close(scan->fd);
    free(scan->buffer);
    free(scan);
    stream->release = NULL;
}

/* How columns of a kind look in Arrow. */
static char format_of(enum Kind kind)
{
    return kind == OBJECT ? 'b' : kind == COUNT || kind == TIME ? 'l' : 'u';
}

static void add_column(struct Scan *scan, const char *name, char format)
{
    scan->names[scan->columns] = name;
    scan->formats[scan->columns++] = format;
}

/* A stream of the rows of files; NULL where memory is short. Names and fields must outlive it.
 *
 * Fields stand behind the objects that they are in. After their columns come `odd`, `src` (the
 * number of the file), `line` (from 1 on, blank lines counted), and `repeats`: how many records
 * that said the same beside this one came just before or after it.
 */
EXPORTED struct ArrowArrayStream *sdlc_scan_open(const char *const *files, int64_t file_count,
                                        const struct Field *fields, int32_t count, uint64_t told,
                                        uint64_t usual, const struct Repeat *repeat)
{
    struct ArrowArrayStream *stream = calloc(1, sizeof *stream);
    struct Scan *scan = calloc(1, sizeof *scan);
    if (!stream || !scan || count > MOST_FIELDS) {
        free(stream);
        free(scan);
        return NULL;
    }
    choose_instructions();
    scan->fields = fields;
    scan->count = count;
    scan->told = told;
    scan->usual = usual;
    scan->repeat = *repeat;
    scan->files = files;
    scan->file_count = file_count;
    scan->file = scan->fd = -1;
    memset(scan->heads, -1, sizeof scan->heads);
    for (int i = 0; i < count; i++) {
        char format = fields[i].title ? format_of(fields[i].kind) : 0;
        scan->lengths[i] = strlen(fields[i].key);
        int8_t *head = scan->heads[fields[i].parent + 1];
        head += bucket((At)fields[i].key, scan->lengths[i]);
        scan->next[i] = *head;
        *head = i;
        scan->column[i] = format ? scan->columns : -1;
        if (format)
            add_column(scan, fields[i].title, format);
    }
    add_column(scan, "odd", 'b');
    add_column(scan, "src", 'l');
    add_column(scan, "line", 'l');
    add_column(scan, "repeats", 'l');
    *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, scan};
    return stream;
}

/* Lets go of a stream, whether somebody has taken it over or not. */
EXPORTED void sdlc_scan_close(struct ArrowArrayStream *stream)
{
    if (stream->release)
        stream->release(stream);
    free(stream);
}
