# -*- coding: utf-8 -*-
#!not a shebang
'''A docstring
over several lines

with blank ones.
'''

"""One line."""
r"raw"
b'bytes'
u"text"
"two" "strings"
"with a comment"  # here
f"{x}"
f"{x:>10}"
f'''{x
}'''
rb"""raw
bytes"""
"""a""" """b
c"""
x = """assigned
   
# no comment
\
end"""  # a comment

x = 1; y = 2
x = 1;
if x: y = 1
if x: y
if x: y; z
if x: y; z = 1; d[1:2]
if x: # comment
    pass
else: pass
d = {1: 2}; e = {3: [4]}
d[1:2]
d[1:]
d = {
    # comment
    "a": 1,  # another

    "b": lambda: 2,
    "c":
        3,
}
def f(a: int, b: "str" = ":") -> None: ...
def g(
    a,

    b,
): return a
lambda: 0
(y := 5)
d[(y := 1):(z := 2)]
x: int
x: int = 1  # ok
class C: pass
class D:
	tab = 1
	 # odd indentation

	def method(self):
	    return "it's #1; a: b"
x = 1 + \
    2
x = 1 + \
    \
    2
x = "a\
b"
if x and \
   y:  # comment
    pass
x = [
]
x = (1,
     2); y = [
     3]
"# not a comment"
'''"'''
"""'"""
'\''
"\\"
'\\\''  # "quotes"
x = '"""'; y = "'''"
x = ''''a'''
x = """\""""
x = r'\''
x = "#" + '#'  # "#"
é = "é"  # ünïcode
x = 1
    # a comment further in

# the last one
pass;pass
for i in x: print(i); print("a")
while 1: pass
try: pass
except: pass
with a as b, \
     c as d: pass
@decorator
@other(
    1)
def h(): pass
x = y if z else {
    "k": "v"
}[
    "k"
]
