"""One call or more for each of bandit's tests on calls, and near misses beside them."""

import crypt
import hashlib
import logging.config
import os
import ssl
import subprocess
import tarfile
from subprocess import PIPE, Popen as start, run

import flask
import httpx
import jinja2
import markupsafe
import paramiko
import requests
import torch
import yaml
from Crypto.PublicKey import RSA as rsa
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.asymmetric import rsa as modern
from datasets import load_dataset
from django.db.models.expressions import RawSQL
from django.utils.safestring import SafeString, mark_safe
from jinja2 import Environment, select_autoescape
from mako.template import Template
from markupsafe import Markup
from pysnmp.hlapi import CommunityData, UsmUserData
from transformers import AutoModel

app = flask.Flask(__name__)
app.run(debug=True)
app.run(
    host="localhost",
    debug=True,
)
app.run(debug=False)

exec("x = 1")
self.exec("x = 1")
eval("1 + 1")

os.chmod("/etc/passwd", 0o777)
os.chmod("/etc/passwd", 0o644)
os.chmod(name, 0o020)
path.chmod(0o777)
path.lchmod(key, stat.S_IRWXU)

os.system("ls")
os.system("ls " + name)
os.system(f"ls {name}")
os.system("tar cf all.tar *")
os.popen("chown root: *", "r")
os.execl("ls", "ls", "-l")
os.spawnl(os.P_WAIT, "/bin/ls")
os.startfile("a.txt")
run(["ls", "-l"])
run("ls -l", shell=True)
run(command, shell=True)
run(command, shell=False)
run(command, shell=[])
run(command, shell=[1])
run(command, shell={})
run(command, shell=None)
run(command, shell=1)
run(command, shell="yes")
start("rsync a* b", shell=True, stdout=PIPE)
subprocess.check_output(
    ["git", "log"],
    shell=
        True,
)
subprocess.call(*args, **kwargs)
subprocess.getoutput("/bin/ls")
subprocess.Popen(["/bin/chown", "root:", "*"], shell=True)
subprocess.Popen("/bin/chown root: *", shell="True")
helper(command, shell=True)
helper(command, shell=name)
helper(command, 1)(shell=True)

requests.get(url)
requests.get(url, timeout=None)
requests.get(url, timeout=3)
requests.post(url, verify=False, timeout=3)
requests.Session().get(url)
httpx.get(url, verify=False)
httpx.Client(timeout=None)
httpx.AsyncClient(verify=False,
                  timeout=None)
mapping.get("a")

ssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv2)
ssl.wrap_socket()
ssl.wrap_socket(sock, ssl_version=ssl.PROTOCOL_TLSv1_2)
connect(method=ssl.PROTOCOL_SSLv3)
connect(method=SSLv3_METHOD)
connect(ssl_version=ssl.PROTOCOL_TLSv1)
pyOpenSSL.SSL.Context(method=pyOpenSSL.SSL.SSLv2_METHOD)

hashlib.md5(data)
hashlib.sha1(data, usedforsecurity=False)
hashlib.sha256(data)
hashlib.new("md5", data)
hashlib.new(name="SHA1")
hashlib.new("sha256")
hashlib.new("sha1", usedforsecurity=True)
crypt.crypt("pw", salt=crypt.METHOD_CRYPT)
crypt.crypt("pw", crypt.METHOD_MD5)
crypt.mksalt(crypt.METHOD_BLOWFISH)

dsa.generate_private_key(key_size=512)
dsa.generate_private_key(4096)
modern.generate_private_key(65537, 1024)
modern.generate_private_key(public_exponent=65537, key_size=size)
modern.generate_private_key(65537, key_size=2047)
ec.generate_private_key(ec.SECT163K1)
ec.generate_private_key(curve=ec.SECP521R1)
rsa.generate(1024)
rsa.generate(bits=4096)
rsa.generate("1024")

yaml.load(text)
yaml.load(text, Loader=yaml.Loader)
yaml.load(text, Loader=yaml.SafeLoader)
yaml.load(text, yaml.CSafeLoader)
json.load(file)

client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy)
client.set_missing_host_key_policy(paramiko.WarningPolicy())
client.set_missing_host_key_policy(paramiko.RejectPolicy)
client.set_missing_host_key_policy(AutoAddPolicy())
client.exec_command(command)

CommunityData("public", mpModel=0)
CommunityData("public", mpModel=1)
CommunityData("public", mpModel=2)
UsmUserData("user", "auth")
UsmUserData("user", "auth", "priv", authProtocol=x, privProtocol=y)

User.objects.extra(select={"a": "b"})
User.objects.extra(select={"a": name})
User.objects.extra(where=["a = %s" % name])
User.objects.extra({}, ["a"], [], ["b"], [], [])
User.objects.extra(tables=tables)
User.objects.annotate(val=RawSQL("select 1", []))
User.objects.annotate(val=RawSQL(sql=query, params=[]))
RawSQL(query, [])
RawSQL()

logging.config.listen(9999)
logging.config.listen(9999, verify=check)

torch.load("model.pt")
torch.load("model.pt", weights_only=True)
torch.load("model.pt", weights_only="False")

AutoModel.from_pretrained("org/model")
AutoModel.from_pretrained("org/model", revision="main")
AutoModel.from_pretrained("org/model", revision="0123456789abcdef")
AutoModel.from_pretrained("./model")
AutoModel.from_pretrained("org/model", revision=REVISION)
load_dataset("org/data")

Environment()
Environment(autoescape=False)
Environment(autoescape=True)
Environment(loader=jinja2.DictLoader({}), autoescape=select_autoescape())
jinja2.Environment(autoescape=name)
Template("<b>${data}</b>")
django.template.Template("x")

Markup("safe")
Markup(f"{name}")
markupsafe.Markup(name)
flask.Markup(name)

mark_safe("text")
mark_safe(text)
mark_safe("%s" % text)
mark_safe("{}".format("a"))
mark_safe("{}".format(text))
SafeString(f"{text}")


def render(request, text="x"):
    value = "safe"
    if request:
        value = "other"
    else:
        value = request.GET["q"]
    for part in value:
        value += part
    with open(value) as handle:
        text = handle
    mark_safe(value)
    mark_safe(text)
    try:
        other = "a"
    except ValueError:
        other = "b"
    finally:
        pass
    return mark_safe(other), mark_safe("<%s>" % other), mark_safe(request)


with tarfile.open(name) as tar:
    tar.extractall()
    tar.extractall(members=safe(tar))
    tar.extractall(members=tar.members)
    tar.extractall(members=names)
    tar.extractall(filter="data")
    tar.extractall(filter="tar", path=name)
    tar.extractall(members=module.safe(tar))

connect(password="hunter2", user="x")
connect(**{"password": "hunter2"})
connect(**"abc", token="t")
connect(
    "x",
    db_password="hunter2",
    secret=1,
)
a.b.c().d(password="x").e(pwd="y")
(lambda: 1)(token="z")
