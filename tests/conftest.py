import logging

import hypothesis
import structlog

# Logs have tests of their own; everywhere else they would bury what a failing test says.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

hypothesis.settings.register_profile("project", deadline=None, print_blob=True)
hypothesis.settings.load_profile("project")
