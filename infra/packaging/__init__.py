"""``make package``: what Lambda runs, built from the locks; its sizes, bill of materials and licences."""
