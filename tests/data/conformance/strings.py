"""Passwords, addresses, folders and SQL in strings."""

host = "0.0.0.0"
hosts = ["0.0.0.0", "127.0.0.1", b"0.0.0.0"]
"0.0.0.0"
serve("0.0.0.0", port=80)
serve(
    host=
    "0.0.0.0",
)

password = "hunter2"
PASSWORD = other = "hunter2"
my_token, x = "a", "b"
self.db_pwd = "x"
secrete: str = "annotated"
config["password"] = "hunter2"
config["token"] = config["secret"] = "both"
config["token"] = load()
settings = {"password": "hunter2", "name": "x", "token": None, "pwd": name, **{"secret": "y"}}
if password == "hunter2":
    pass
if user.password != "hunter2" and "hunter2" == password:
    pass
if token in ("a", "b") or 1 < password < "c":
    pass
passphrase = f"{x}"
passwd = b"bytes"
passed = "x"
compass = "north"


def login(user, password="hunter2", *, token="t", secret=None):
    return lambda password="inner": password


async def log_in(user, password="hunter2"):
    return password


def connect(version=ssl.PROTOCOL_SSLv3, method=SSLv2_METHOD, other=a.b.SSLv23_METHOD):
    pass


def positional(a, password="x", /, b=1):
    pass


temporary = "/tmp/x"
open("/var/tmp/y")
open("/dev/shm")
open("a/tmp")
open(f"/tmp/{name}")
[path for path in paths if path != "/tmp"]
with "/tmp/a" as handle, open("/tmp/b"):
    pass
[x for x in "/tmp" if "/tmp/x"]

query = "select * from users where id = %s" % uid
query = "SELECT a FROM b WHERE c = " + value + " and d = 1"
query = "select " + columns + " from " + table
query = "nothing " + columns + " here " + table
query = "delete from %s" % table
query = ("insert into " "users values (%s)") % value
query = "update users set a = {}".format(value)
query = "update users set a = 1"
query = "select * from users where name = 'x'".replace("x", name)
query = f"select {columns} from {table}"
query = f"{prefix}select a from {table} where {x!r:>{width}}"
query = f"sel{'ect'} a from b"
query = f"sel{x}ect a from b"
query = f"ınsert into a values ({value})"
cursor.execute("select * from users where id = %s" % uid)
cursor.execute("select * from users where id = " + uid)
cursor.executemany(f"delete from {table}")
cursor.execute("select * from {}".format(table))
cursor.execute("select * from %s".replace("%s", table))
cursor.execute("select a from b where c = " + (d + "e") + "f" % g)
session.execute(text("select * from " + table))
total = "a" + "b" * 3 + c - "delete from x"
"""
select a from b
"""
long = """
    select a
    from b
    where c = %s
""" % (
    value,
)
query = (
    "select a "
    "from b where c = %s"
    % value
)
