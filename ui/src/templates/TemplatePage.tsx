import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import { Asked } from "~/parts/Asked";
import { Page } from "~/parts/Page";
import { useSay } from "~/words/useSay";
import { Problems } from "./Problems";
import { Workbench } from "./Workbench";

/** One template with a live preview. */
export function TemplatePage() {
  const say = useSay();
  const { name = "" } = useParams();
  const found = useQuery({
    queryKey: ["templates", name],
    queryFn: () => answerOf(api.GET("/api/v1/templates/{name}", { params: { path: { name } } })),
    refetchOnWindowFocus: false,
  });
  return (
    <Page title={found.data?.label || name}>
      <Asked query={found} failed={say("templates.one_failed")}>
        {(template) => (
          <>
            <Problems template={template} />
            {template.texts.length > 0 && <Workbench key={template.name} template={template} />}
          </>
        )}
      </Asked>
    </Page>
  );
}
