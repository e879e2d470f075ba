import { Stack, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { ROOT } from "~/shell/addresses";
import { useSay } from "~/words/useSay";

type Props = {
  version: components["schemas"]["AudienceVersion"];
  isOnly: boolean;
  onClose: () => void;
};

/** Ask once more before a version goes. */
export function DeleteDialog({ version, isOnly, onClose }: Props) {
  const say = useSay();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const values = { name: version.name, version: version.version };
  const deleting = useMutation({
    mutationFn: () =>
      answerOf(
        api.DELETE("/api/v1/audiences/{name}", {
          params: { path: { name: `${version.name}@${version.version}` } },
        }),
      ),
    onSuccess: () => {
      if (isOnly) {
        void navigate(`${ROOT}/audiences`);
      }
      void queries.invalidateQueries({ queryKey: ["audiences"] });
      onClose();
    },
  });
  return (
    <Confirm
      isOpen
      title={say("audiences.delete_title", values)}
      action={say("audiences.delete_label", values)}
      palette="red"
      isBusy={deleting.isPending}
      onConfirm={() => deleting.mutate()}
      onClose={onClose}
    >
      <Stack gap={3}>
        <Text>{say(isOnly ? "audiences.delete_only" : "audiences.delete_text", values)}</Text>
        {deleting.isError && (
          <Trouble error={deleting.error} what={say("audiences.delete_failed")} isWrite />
        )}
      </Stack>
    </Confirm>
  );
}
