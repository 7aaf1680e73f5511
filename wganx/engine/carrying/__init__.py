"""How the steps are carried out: one operation after another, recorded, compiled; and where their batches lie."""
