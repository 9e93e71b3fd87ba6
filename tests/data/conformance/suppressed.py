"""Every way to write `# nosec`, where it works and where it does not."""

import pickle  # nosec
import subprocess  # nosec B404
import telnetlib  # nosec B403
import ftplib  # nosec: B402, B321
import marshal  #nosec
import xml.sax  # noqa: E501  # nosec B406 # comment
import shelve  # nosec blacklist
import dill  # nosec import_pickle
import random  # NOSEC

eval("1")  # nosec
eval("2")  # nosec B307
eval("3")  # nosec B101,B307
eval("4")  # nosec B101 B307
eval("5")  # nosec B101
eval("6")  # nosec eval
eval("7")  # nosec nothing_known
eval("8")  # nosec (we know)
eval("9")  # nosec B999,B307
eval("10")  # nosecure
eval("11")  # why: nosec B307
assert eval("12")  # nosec B101
assert eval("13")  # nosec assert_used, B307
assert True  # nosec:B101
assert True  # nosec : B101
"# nosec"; eval("14")

subprocess.run(  # nosec
    "ls",
    shell=True,
)
subprocess.run(
    "ls",
    shell=True,  # nosec B602
)
subprocess.run(
    "ls",
    shell=True,
)  # nosec B602,B607
subprocess.run(
    # nosec B602
    "ls",
    shell=True,
)
subprocess.run("ls", shell=True)  # nosec subprocess_popen_with_shell_equals_true
password = (  # nosec
    "hunter2"
)
token = (
    "hunter2"  # nosec B105
)
query = """
select a  # nosec
from b where c = %s
""" % value  # nosec B608
settings = {
    "password": "x",  # nosec B105
    "token": "y",
    "secret": "/tmp/z",  # nosec B105
}


def login(user, password="x"):  # nosec B107
    try:
        return eval(user)  # nosec
    except Exception:  # nosec B110
        pass


def again(
    user,  # nosec
    password="x",
):
    try:
        return eval(user)
    except Exception:
        # nosec
        pass
    try:
        return eval(user)
    except Exception:
        pass  # nosec B112, B110
