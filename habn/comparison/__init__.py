"""Two networks on one picture: what is asked (`request`), who answers (`engine`), and what is made of the answer."""
