"""Imports and calls that bandit's lists name, under their names and under others."""

import pickle
import cPickle as pick, os, subprocess
import telnetlib, ftplib
import xml.etree.ElementTree as ET
import xml.sax, xml.dom.minidom
from xml.etree import cElementTree
from xml.dom import pulldom as pull, expatbuilder
from lxml import etree
import marshal
import random
import xmlrpc.client
from xmlrpc import client
from wsgiref.handlers import CGIHandler
import Crypto.Cipher
from Crypto.Cipher import AES, ARC4
from Crypto.Hash import MD5 as md
import pyghmi
import xml.dom.minidom
import xml.dom.pulldom
import xml.sax.expatreader
import dill, shelve, jsonpickle, pandas
import pickles_of_our_own
from . import pickle as own
from . import subprocess
from .. import telnetlib
from .pickle import load
from pickle import loads, dumps as dump
from os import path
import os.path as osp
import urllib.request
from urllib.request import urlopen, urlretrieve as fetch
import ssl
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.modes import ECB

pickle.loads(data)
pick.load(file)
loads(data)
dump(data)
own.loads(data)
dill.load(file)
shelve.open("x")
marshal.load(file)
jsonpickle.decode(text)
pandas.read_pickle(name)
ET.parse(name)
ET.fromstring(text)
cElementTree.iterparse(name)
pull.parse(name)
expatbuilder.parse(name)
xml.sax.make_parser()
xml.dom.minidom.parseString(text)
etree.parse(name)
telnetlib.Telnet("host")
ftplib.FTP("host")
random.random()
random.SystemRandom().random()
random.choices(range(3))
urllib.request.urlopen(url)
urlopen(url)
fetch(url)
urllib.request.Request(url)
os.tempnam()
os.tmpnam()
tempfile.mktemp()
input()
eval("1")
ssl._create_unverified_context()
md.new()
xml.sax.expatreader.create_parser()
ARC4.new(key)
AES.new(key)
algorithms.Blowfish(key)
algorithms.AES(key)
modes.ECB(iv)
ECB(iv)
CGIHandler().run(app)

__import__("pickle")
__import__("os")
__import__(name)
__import__()
importlib.import_module("telnetlib")
importlib.import_module(name="subprocess")
importlib.import_module(name)
importlib.import_module()
importlib.__import__("ftplib")

import loader as __import__
__import__("pickle")


def late():
    import pickle, json
    from random import random as chance

    return pickle.loads(chance())


class Late:
    from pickle import Unpickler

    eval = staticmethod(eval)
    value = eval("2")
