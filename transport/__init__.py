"""Transport and storage of records between the two processes: one log, each record exactly once. No torch.

`schema` describes a step, `record` lays it out as bytes, `log` keeps these bytes in segments on disk, `wire` and
`delivery` carry them, `uplink` is the actor's end, `intake` the learner's, `weights` the way back.
"""
